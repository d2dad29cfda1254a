"""The measuring tools measured: counts, verdicts, refusals to give a figure."""
