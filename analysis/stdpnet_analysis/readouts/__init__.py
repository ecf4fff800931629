"""Read-outs of responses, and their scores."""
