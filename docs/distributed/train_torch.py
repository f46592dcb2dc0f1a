"""SimCLR in as many processes as there are GPUs: torchrun --nproc-per-node=4 train_torch.py"""

import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import torch

import keras_contrastive as kc

if torch.cuda.is_available():
    torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
torch.distributed.init_process_group()

keras.utils.set_random_seed(0)
images = kc.data.load("digits", image_size=16).images
method = kc.SimCLR(
    kc.encoders.small_resnet(input_shape=(16, 16, 1), widths=(16, 32)),
    kc.augmentation.simclr_views(size=16, strength=0.2, blur=0.0, scale=(0.7, 1.0)),
)
method.compile(keras.optimizers.Adam(1e-3))
history = method.fit(images[:1280], batch_size=256, epochs=10)
if torch.distributed.get_rank() == 0:
    devices = torch.distributed.get_world_size()
    print(f"{devices} devices, loss {history.history['loss'][-1]:.4f}")
torch.distributed.destroy_process_group()
