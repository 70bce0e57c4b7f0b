"""What all aggregates have in common: who does an act, what acts and events carry."""
