"""Training: built-in data sets, small loops, and the experiments that test a chapter's claim."""
