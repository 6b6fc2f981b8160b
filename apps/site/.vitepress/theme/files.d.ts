/** Style sheets and components are Vite's to load. */
declare module "*.css";

declare module "*.vue" {
  const component: import("vue").Component;
  export default component;
}

declare module "*?worker&url" {
  const url: string;
  export default url;
}
