"""The bank: takes signed payment batches, pays each reference once, gives a result file."""
