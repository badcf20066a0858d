"""Every call of PyPI's runpod, plain and asyncio, at our address. Prints one line of JSON. Arguments: the base address, a key, a file
with a graph that reads photo.png, and an image in base64."""

import asyncio
import base64
import json
import pathlib
import sys

import aiohttp
import requests
import runpod

runpod.endpoint_url_base, runpod.api_key, path = sys.argv[1:4]
given = json.loads(pathlib.Path(path).read_text())
work = {"workflow": given["graph"], "images": [{"name": "photo.png", "image": given["picture"]}]}
small = {"prompt": "a fox", "width": 256, "height": 256, "steps": 4}
long = {**small, "steps": 50, "batch_size": 4}
said = {}


def types_of(output):
    return [[one["type"], base64.b64decode(one["data"])[1:4].decode()] for one in output["images"]]


def failure(call):
    try:
        call()
    except requests.HTTPError as error:
        return error.response.status_code
    except RuntimeError:
        return "RuntimeError"
    return "none"


endpoint = runpod.Endpoint("comfyui")
flux = runpod.Endpoint("flux2_turbo_default")
said["run_sync"] = types_of(endpoint.run_sync(work, timeout=60))
job = endpoint.run(work)
said["output"] = types_of(job.output(timeout=60))
said["status"] = job.status()
said["stream"] = [one for output in endpoint.run(work).stream() for one in types_of(output)]
said["workflow"] = len(flux.run_sync(small, timeout=60)["images"])
held = flux.run(long)
said["cancel"] = held.cancel()["status"]
said["cancelled"] = held.status()
said["health"] = endpoint.health()
said["purge_queue"] = endpoint.purge_queue()
said["refused"] = failure(lambda: endpoint.run({"workflow": {}}))
said["unknown"] = failure(lambda: runpod.Endpoint("nowhere").health())
said["bad_key"] = failure(lambda: runpod.Endpoint("comfyui", api_key="wrong").health())


async def asynchronously():
    async with aiohttp.ClientSession() as session:
        there = runpod.AsyncioEndpoint("comfyui", session)
        first = await there.run(work)
        output = types_of(await first.output(timeout=60))
        second = await there.run(work)
        streamed = [one async for chunk in second.stream() for one in types_of(chunk)]
        third = await runpod.AsyncioEndpoint("flux2_turbo_default", session).run(long)
        cancelled = (await third.cancel())["status"]
        health = list(await there.health())
        purged = (await there.purge_queue())["status"]
        return [await first.status(), output, streamed, cancelled, health, purged]


said["asyncio"] = asyncio.run(asynchronously())
print(json.dumps(said))
