import { backends } from "@batchnorm/adapters/browser";

// Copied beside the packed packages, and loaded there by the page that checks one backend: its name stands in the address.

const name = decodeURIComponent(location.hash.slice(1)) as keyof typeof backends;

export default { backends: [backends[name]] };
