"""The terminal face: parse, call one service, render."""
