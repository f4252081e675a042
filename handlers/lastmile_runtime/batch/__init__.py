"""Files of a folder scored by the messages of a queue: part by part, restartable where it stopped.

A message without a file looks at the input folder, and begins every file that has no predictions for what it holds
now. Beginning a file cuts it into parts at the ends of rows, and sends a message for each. What is in a file's output
folder says how far it is (`lastmile_runtime.batch.ledger`), so any message may come twice, or be lost with its worker.
"""
