const _imports_0 = "/assets/playground-light.D5pH31YF.png";
export {
  _imports_0 as _
};
