"""The licence (电子证照): what an approval granted, from its issue until it ends or another one takes its place."""
