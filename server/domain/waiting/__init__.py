"""The waiting room of a peak: how many have drawn lots, tickets, places and turns."""
