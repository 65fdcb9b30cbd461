"""Judgement. Everything that decides is a pure function in this room: no clock, no network, no disk.

`step.step` is the index; it names every other file of the room in the order they are used.
"""
