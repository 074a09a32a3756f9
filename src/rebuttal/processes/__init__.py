"""Methods on real processes: the same, unchanged method files on real clocks, recorded so that they can be replayed.

Each node is a process with a core's worth of one thread. It drives its own program of the method on tensors
(`node`), sends values straight to the other nodes' mail (`links`, `mailbox`) or puts them into memory that all of them
see (`cells`), and notes what it does (`log`). The process that started them watches over them (`launcher`), and makes
one `Timeline` of their notes (`merging`). `verification` computes the weights again from that timeline alone.

A value carries its *name*, a hash of how it was computed (`values`). Names are the same on every node, so the notes
of all nodes fit together without any agreement between the nodes while they run.
"""
