"""The records of this family, in the order of its lessons; each stands beside its model."""

from gmcourse.gan.auxiliary import ACGAN_RECORD
from gmcourse.gan.conditional import CGAN_RECORD
from gmcourse.gan.cycle import CYCLEGAN
from gmcourse.gan.dcgan import DCGAN
from gmcourse.gan.gain import GAIN_RECORD
from gmcourse.gan.pix2pix import PIX2PIX
from gmcourse.gan.stylegan import STYLEGAN
from gmcourse.gan.variants import GOODFELLOW_GAN, LSGAN, R1_GAN, WGAN, WGAN_GP

RECORDS = (
    GOODFELLOW_GAN,
    LSGAN,
    R1_GAN,
    WGAN,
    WGAN_GP,
    DCGAN,
    CGAN_RECORD,
    ACGAN_RECORD,
    PIX2PIX,
    CYCLEGAN,
    STYLEGAN,
    GAIN_RECORD,
)
