"""A page in the browser that shows the runs of a folder: `stdpnet inspect` (extra `inspect`).

`library` and `inside` read runs as plain data, `arrays` has their computations, `charts` draws the data with Bokeh, and
`server` answers the browser. The page itself is in `static/`.
"""
