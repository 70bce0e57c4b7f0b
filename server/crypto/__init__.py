"""Keys, digests, envelopes and signatures."""
