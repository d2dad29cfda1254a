"""Who is speaking and how often; never what is asked."""
