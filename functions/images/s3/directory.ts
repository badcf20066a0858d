/** Where the images of a bucket are, for people. */
export const directoryOf = (bucket: string): string => `s3://${bucket}/images`;
