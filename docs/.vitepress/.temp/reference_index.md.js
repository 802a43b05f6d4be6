import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"Reference","description":"","frontmatter":{},"headers":[],"relativePath":"reference/index.md","filePath":"reference/index.md"}');
const _sfc_main = { name: "reference/index.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="reference" tabindex="-1">Reference <a class="header-anchor" href="#reference" aria-label="Permalink to &quot;Reference&quot;">​</a></h1><h2 id="modules" tabindex="-1">Modules <a class="header-anchor" href="#modules" aria-label="Permalink to &quot;Modules&quot;">​</a></h2><ul><li><a href="./buddy-allocator/">buddy-allocator</a></li><li><a href="./buddy-allocator/heap/">buddy-allocator/heap</a></li><li><a href="./buddy-allocator/shared/">buddy-allocator/shared</a></li><li><a href="./buddy-allocator/mempool/">buddy-allocator/mempool</a></li><li><a href="./buddy-allocator/webgpu/">buddy-allocator/webgpu</a></li><li><a href="./buddy-allocator/webgl/">buddy-allocator/webgl</a></li><li><a href="./buddy-allocator/debug/">buddy-allocator/debug</a></li><li><a href="./buddy-allocator/trace/">buddy-allocator/trace</a></li><li><a href="./buddy-allocator/replicated/">buddy-allocator/replicated</a></li><li><a href="./buddy-allocator/prefixes/">buddy-allocator/prefixes</a></li></ul></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("reference/index.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const index = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  index as default
};
