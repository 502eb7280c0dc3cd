"""The REST routes that a text bot uses, by group."""
