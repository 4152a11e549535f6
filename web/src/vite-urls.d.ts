/** What vite makes of two kinds of import. */
declare module "*?url" {
  const url: string;
  export default url;
}
declare module "*.css";
