"""The exchange in the store: logs of batches, letters out and in, and what is known of each peer."""
