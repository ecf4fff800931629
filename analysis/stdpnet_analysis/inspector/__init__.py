"""A page in the browser that shows the runs of a folder: `stdpnet inspect` (extra `inspect`).

`arrays` computes, `library` and `inside` read runs as plain data, `charts` draws them with Bokeh, `server` answers the
browser. The page itself is in `static/`.
"""
