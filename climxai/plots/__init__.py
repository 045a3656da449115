"""Maps and curves of what a run found. Draws without a screen and never downloads anything."""
