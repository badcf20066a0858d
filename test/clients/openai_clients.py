# OpenAI's Python client and litellm from PyPI, unchanged: the base URL and the key come from the environment.

import base64
import json
import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import litellm
from openai import OpenAI


def starts(image):
    return base64.b64decode(image.b64_json)[1:4].decode()


def is_webp(image):
    return base64.b64decode(image.b64_json)[8:12] == b"WEBP"


client = OpenAI()
models = [model.id for model in client.models.list()]
one = client.images.generate(prompt="a red fox", size="256x256", extra_body={"steps": 4, "seed": 3})
two = litellm.image_generation(
    model="openai/flux2_turbo_default",
    prompt="a red fox",
    size="256x256",
    n=2,
    api_base=os.environ["OPENAI_BASE_URL"],
    api_key="any",
    extra_body={"steps": 4},
)
webp = client.images.generate(prompt="a fox", size="256x256", output_format="webp", output_compression=80, extra_body={"steps": 4})
lite_webp = litellm.image_generation(
    model="openai/flux2_turbo_default",
    prompt="a fox",
    size="256x256",
    output_format="webp",
    api_base=os.environ["OPENAI_BASE_URL"],
    api_key="any",
    extra_body={"steps": 4},
)
edited = client.images.edit(image=("photo.png", base64.b64decode(one.data[0].b64_json), "image/png"), prompt="a fox", extra_body={"steps": 4})
print(
    json.dumps(
        {
            "models": len(models),
            "openai": [starts(i) for i in one.data],
            "litellm": [starts(i) for i in two.data],
            "webp": [is_webp(webp.data[0]), is_webp(lite_webp.data[0])],
            "edited": starts(edited.data[0]),
        }
    )
)
