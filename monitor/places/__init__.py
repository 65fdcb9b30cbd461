"""Places: probing from elsewhere. What a place and the core tell each other, and how no third one takes part in it.

An agent at each place (`agent`) asks the probes that the core gave it, keeps what it saw on disk, and publishes it
until the core says that it has stored it.
"""
