"""The Markov chain of the race: its arithmetic, what can be read out of it, and its file."""
