"""References: a run's results, rules and verdicts in a folder with hashes, for others to be held against."""
