#!/usr/bin/env bash
# image-size 2.1.0 and a JPEG with fill bytes between its segments.
#
# ITU-T T.81, B.1.1.2: "any marker may optionally be preceded by any number of fill bytes, which are bytes assigned code
# X'FF'". Some cameras and encoders write them.
#
# Guess before running: the size is found, as in the same file without fill bytes.
# Seen: without them 16 × 8; with two of them a TypeError.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund image-size@2.1.0
cat >try.mjs <<'JS'
import { imageSize } from 'image-size';
const segment = (marker, bytes) => Buffer.concat([Buffer.from([0xff, marker, 0, bytes.length + 2]), Buffer.from(bytes)]);
const start = Buffer.from([0xff, 0xd8]);
const app0 = segment(0xe0, Buffer.from('JFIF\0\x01\x01\0\0\x01\0\x01\0\0', 'latin1'));
const frame = segment(0xc0, [8, 0, 8, 0, 16, 1, 1, 0x11, 0]);
const rest = Buffer.alloc(64);
const sizeOf = (...parts) => {
  try {
    const { width, height } = imageSize(Buffer.concat(parts));
    return `${width} x ${height}`;
  } catch (error) {
    return error.constructor.name;
  }
};
console.log(`plain: ${sizeOf(start, app0, frame, rest)}`);
console.log(`filled: ${sizeOf(start, app0, Buffer.from([0xff, 0xff]), frame, rest)}`);
JS
seen=$(node try.mjs)
echo "image-size 2.1.0"
echo "$seen"
[ "$seen" = $'plain: 16 x 8\nfilled: TypeError' ]
