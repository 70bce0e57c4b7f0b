"""What two nodes have between them: letters, the log, the directory, the circuit breaker, reconciliation."""
