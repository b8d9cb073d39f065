"""The contracts: everything the services agree on, and nothing else.

`fact` (the base class), one module of facts per producer, `topics`, `envelope` (bytes in, bytes
out), `registry` (type string to class). Pure: no I/O, no clock, no service.
"""
