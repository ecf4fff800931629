"""Features of image patches, learned without labels and without spikes: random, k-means or principal components."""
