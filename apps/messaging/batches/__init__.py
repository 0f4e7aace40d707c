"""Events in batches: tiny messages, folded many at a time, each exactly once.

    count_views.emit(PhotoViewed(photo_id=photo.pk, day=today))

`emit` puts the event into a buffer of the process (sender.py), a thread sends what waits as one
message (envelope.py) over the broker (wires.py; streams.py on Redis, queues.py on RabbitMQ), and
a thread of a worker (consumer.py) folds what came in one transaction (folding.py) that also notes
which messages it was (receipts.py). Only then are they acknowledged.
"""
