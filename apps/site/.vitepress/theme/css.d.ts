/** Style sheets are Vite's to load. */
declare module "*.css";
