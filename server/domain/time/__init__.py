"""Working days, and the dates and counts that follow from them."""
