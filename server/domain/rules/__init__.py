"""What an act does to a case: opening, the table of moves, the decision, and the replay of events."""
