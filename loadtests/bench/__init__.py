"""`make bench`: what a node costs beside the smallest servers that keep the same, in one interleaved run."""
