# What schemathesis is told beside the document. Strangers are not called: a webhook's address would be drawn from
# anywhere. What a choice may be depends on the hosts: its default is there. And of a tuple 4.32.5 makes a schema that it
# then refuses itself; vitest holds tuples against theirs.

import schemathesis


@schemathesis.hook
def before_load_schema(ctx, raw_schema):
    adapt(raw_schema)


def adapt(node):
    if isinstance(node, dict):
        if "prefixItems" in node:
            del node["prefixItems"]
            node["items"] = {}
        if node.get("x-input") == "choice":
            node["enum"] = [node["default"]]
        for value in node.values():
            adapt(value)
    elif isinstance(node, list):
        for value in node:
            adapt(value)


@schemathesis.hook
def before_call(ctx, case, kwargs):
    url = case.body.get("webhook_url") if isinstance(case.body, dict) else None
    if isinstance(url, str) and url.lower().startswith("http"):
        # A name that there never is: RFC 2606.
        case.body["webhook_url"] = "https://receiver.invalid/"
