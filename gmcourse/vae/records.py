"""The records of this family; each stands beside its model."""

from gmcourse.vae.balanced import BETA_VAE
from gmcourse.vae.captioned import CAPTIONED_VQ
from gmcourse.vae.conditional import CVAE_RECORD
from gmcourse.vae.gaussian import GAUSSIAN_VAE
from gmcourse.vae.importance import IWAE_RECORD
from gmcourse.vae.sentence import SENTENCE_VAE
from gmcourse.vae.tones import JUKEBOX
from gmcourse.vae.two_level import VQ_VAE_2
from gmcourse.vae.video import VIDEO_VQ_VAE
from gmcourse.vae.vq import VQ_VAE

RECORDS = (
    GAUSSIAN_VAE,
    IWAE_RECORD,
    BETA_VAE,
    CVAE_RECORD,
    VQ_VAE,
    VQ_VAE_2,
    JUKEBOX,
    CAPTIONED_VQ,
    VIDEO_VQ_VAE,
    SENTENCE_VAE,
)
