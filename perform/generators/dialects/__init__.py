"""Dialects: the names that other projects give to a network's tensors. One project a file, with `weights`.

`unsupported` describes files that no family plays, `unexpected` finds tensors that a family has no place
for, `meanw` computes the mean w of files that hold none.
"""
