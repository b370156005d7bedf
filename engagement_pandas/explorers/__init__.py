"""Widgets: a frame and a selection."""
