"""Ten images of PyPI's openai, waited for while the service is killed and started again; each call repeats itself. Prints a line of
JSON: the job of each image, and what it is. OPENAI_BASE_URL is where."""

import base64
import concurrent.futures
import json

from openai import OpenAI

client = OpenAI(max_retries=12)


def made(number):
    raw = client.images.with_raw_response.generate(
        prompt=f"fox {number}", model="flux2_turbo_default", size="256x256", extra_body={"steps": 6}
    )
    kind = base64.b64decode(raw.parse().data[0].b64_json)[1:4].decode()
    return [raw.headers["x-job-id"], kind]


with concurrent.futures.ThreadPoolExecutor(10) as threads:
    print(json.dumps(list(threads.map(made, range(10)))))
