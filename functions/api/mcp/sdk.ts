// What of MCP's own package the façade stands on, bundled by itself (build.mjs): it brings most of zod and a JSON Schema
// validator, and nothing but the first request to MCP loads it.

export {
  CLIENT_CAPABILITIES_META_KEY,
  createMcpHandler,
  isInitializeRequest,
  isLegacyRequest,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
  Server,
} from '@modelcontextprotocol/server';
