"""A folder of runs as pages for this machine alone: list, compare, browse.  Nothing is written.

*Covered*: other machines and other users' pages (the address is the loopback's, and a request must name it), every
method but GET and HEAD, bodies, long requests, names that leave the folder, links, text of strangers, scripts (there
are none but the report's own).  *Not covered*: other users of this machine, who can read what it shows.
"""
