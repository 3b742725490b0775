"""Changes to single values, declared in the policy per attribute and applied to columns, batch by batch.

Terms of ISO/IEC 20889: masking, top and bottom coding, rounding, generalisation; date shifting moves all dates of one
subject by one number of days drawn from a key, so that intervals stay true and no date does. Whatever a transform
cannot handle (NULL, an unknown place, a tail with too few people) stops the run; nothing passes unchanged in silence.
"""

from smartgov.engines.deid.transforms.declared import PLACES, Transform
from smartgov.engines.deid.transforms.stream import Changer, apply, batches

__all__ = ["PLACES", "Changer", "Transform", "apply", "batches"]
