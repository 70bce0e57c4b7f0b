"""Two provinces on one machine, driven over HTTP like by anyone else."""
