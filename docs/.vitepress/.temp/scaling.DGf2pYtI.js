const _imports_0 = "/assets/scaling.2LgsyqIS.svg";
export {
  _imports_0 as _
};
