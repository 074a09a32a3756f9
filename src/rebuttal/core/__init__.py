"""What methods, clusters and replay share: verbs, tasks, update rules, the graph of values, timelines, result files."""
