"""Ten jobs of PyPI's runpod, polled by the client while the service is killed and started again. Prints the ids, then a line of JSON.
Arguments: the base address."""

import base64
import concurrent.futures
import json
import sys

import runpod

runpod.endpoint_url_base, runpod.api_key = sys.argv[1], "any"
endpoint = runpod.Endpoint("flux2_turbo_default")
fields = {"width": 256, "height": 256, "steps": 20}
jobs = [endpoint.run({"prompt": f"fox {number}", **fields}) for number in range(10)]
print(json.dumps([job.job_id for job in jobs]), flush=True)


def kind_of(job):
    return base64.b64decode(job.output(timeout=120)["images"][0]["data"])[1:4].decode()


with concurrent.futures.ThreadPoolExecutor(10) as threads:
    print(json.dumps(list(threads.map(kind_of, jobs))))
