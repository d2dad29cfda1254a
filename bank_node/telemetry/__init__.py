"""What happened and how long it took: counters, histograms and the traffic log."""
