"""What was learned: read-outs, votes and scores of trained networks."""
