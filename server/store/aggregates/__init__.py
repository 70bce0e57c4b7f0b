"""What every aggregate needs of the store."""
